//! `runback repl` in a real terminal, driven key by key; and without one.

mod completes;
mod edits;
mod guards;
mod piped;
mod readme;
mod saves;
mod settles;
mod shows;
mod stops;
mod tour;
