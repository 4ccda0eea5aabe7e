//! The scripts, each put together from the parts it needs. A script runs as a
//! whole: nothing comes in between, and a Redis that dies has done all or none.

use std::sync::LazyLock;

use super::connection::Script;

macro_rules! script {
    ($name:ident = $($part:literal)*) => {
        pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!($(include_str!(concat!("lua/", $part, ".lua"))),*)));
    };
}

script!(CLAIM = "base" "finish" "claim");
script!(EXTEND = "base" "fence" "extend");
script!(PROGRESS = "base" "fence" "progress");
script!(SETTLE = "base" "fence" "finish" "settle");
script!(ADD = "base" "add");
script!(CANCEL = "base" "finish" "cancel");
script!(FIND = "base" "finish" "record" "find");
script!(COUNTS = "base" "finish" "counts");
script!(LIST = "base" "finish" "record" "list");
script!(RETRY = "base" "retry");
script!(PAUSE = "base" "pause");
