#pragma once

/// The width of the terminal behind a descriptor, or 0 when there is none.
int mr_terminal_columns(int descriptor);

/// Catches SIGINT and SIGTERM from now on, in whichever thread they arrive.
///
/// Each puts one byte, its number, into a pipe. Returns the end to read from, or -1.
int mr_catch_stop_signals(void);
