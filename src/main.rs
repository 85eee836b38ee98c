//! Which role am I?

fn main() {}
