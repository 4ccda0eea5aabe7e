//! An archive of JSON and pictures in a store.
