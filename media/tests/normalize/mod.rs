//! Normalisation.

