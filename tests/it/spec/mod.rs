//! Descriptions of networks: every family of the design has one, and what is computed about it is what happens.

mod causality;
mod families;
mod interpreter;
mod skeletons;
