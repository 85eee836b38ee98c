//! What the program does for its users, from the outside: commands in, output and exit codes out.

mod adversity;
mod attach;
mod commit;
mod death;
mod diff;
mod drivers;
mod elsewhere;
mod exec;
mod files;
mod identity;
mod images;
mod life;
mod network;
mod one_id;
mod ownership;
mod pull;
mod quota;
mod reports;
mod rootfs;
mod run;
mod sandbox;
mod stdio;
mod system;
mod terminal;
mod unpack;
mod user_namespace;
