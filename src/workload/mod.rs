//! What is done with jobs: one folder a workload, each a short list of steps.
//!
//! | folder | what it does |
//! |---|---|
//! | [`export`] | a video through a list of operations, into the store |
//! | [`cctv`] | what a camera's recorder has of a stretch of time, into a bucket |
//! | [`analysis`] | what is seen and said in a video, to be searched |
//! | [`image`] | a photo becomes WebP, and a backend hears of it |
//! | [`access`] | people whom an HR system lists, to the gates |
//! | [`image_api`] | the same for who asks over HTTP, where it is not done at once |

pub mod access;
pub mod analysis;
pub mod cctv;
pub mod export;
pub mod image;
pub mod image_api;
