//! The scripts, each put together from the parts it needs. A script runs as a
//! whole: nothing comes in between, and a Redis that dies has done all or none.

use std::sync::LazyLock;

use crate::queue::redis::connection::{Script, script};

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
