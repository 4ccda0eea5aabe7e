//! The client of Eposh against a stand-in with every fault that it has.
