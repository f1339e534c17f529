#pragma once

/// The width of the terminal behind a descriptor, or 0 when there is none.
int mr_terminal_columns(int descriptor);
