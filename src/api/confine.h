/*
 * What the chat program goes on with once it has begun: its data, what it reads
 * of its own folder, and what the C library and curl read of the system.
 */
#ifndef API_CONFINE_H
#define API_CONFINE_H

#include "base/base.h"

/* Enter the sandbox (base/sandbox.h) with what the settings name, and say so in
 * the log, in one line. DATA_DIR is made if it is not there. Once, while there
 * is one thread, after what lies elsewhere was read (keys of AWS in the home)
 * and before anything is opened. With SANDBOX=off it says only that. */
void confine(void);

#endif
