//! The zoo: one file a family, from its sizes to a [`NetworkSpec`](crate::spec::NetworkSpec).
//!
//! What must stay true: a family is described here once and executed elsewhere; nothing outside this room knows a family.

pub mod window;
