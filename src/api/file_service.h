/*
 * The index of files in a server: opened, looked into by turns, and the process
 * beside it that may open files (files/broker.h).
 */
#ifndef API_FILE_SERVICE_H
#define API_FILE_SERVICE_H

#include "api/app.h"

/* Before the sandbox and any thread. */
void file_service_begin(struct app *app);
/* Once the engine is open. Without an index everything else goes on. */
void file_service_open(struct app *app);
/* Behind the end of the engine, whose threads look into it. */
void file_service_close(struct app *app);
void file_service_end(struct app *app);

/* Folder of the index, below DATA_DIR. */
#define FILE_SERVICE_DIR "files"

#endif
