//! The scripts, each put together from the parts it needs. A script runs as a
//! whole: nothing comes in between, and a Redis that dies has done all or none.

use std::sync::LazyLock;

use crate::queue::redis::connection::{Script, script};

script!(CLAIM = "base" "claim");
script!(EXTEND = "base" "fence" "extend");
script!(SETTLE = "base" "fence" "settle");
script!(COUNTS = "base" "counts");
script!(LIST = "base" "list");
script!(RETRY = "base" "retry");
script!(ASIDE = "base" "aside");
