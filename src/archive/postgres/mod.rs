//! An archive of rows in Postgres, the pictures in the rows or in a store.
