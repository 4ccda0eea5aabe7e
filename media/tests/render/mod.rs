//! Lists of operations in one pass: each operation, their order, containers and codecs, odd
//! material, and what goes wrong.
//!
//! [`workshop`] makes material and runs lists.

mod containers;
mod failing;
mod material;
mod order;
mod pictures;
mod rates;
mod transcode;
mod trim;
mod watermark;
mod workshop;
