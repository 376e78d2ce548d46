/*
 * A session as a file, for who is not an HTTP client. Any thread that may wait
 * for the disk.
 */
#ifndef API_SESSION_EXPORT_H
#define API_SESSION_EXPORT_H

#include "chat/command.h"

/* For command_exporter. */
command_export_fn session_export;

#endif
