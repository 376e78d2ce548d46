/*
 * The streams of a session's commands. The store knows nothing of them, and
 * the log keeps them for its grace time; what they told (a context, a history)
 * is to go when the session does.
 */
#ifndef CHAT_COMMAND_STREAMS_H
#define CHAT_COMMAND_STREAMS_H

struct engine;

/* Drop those that have ended. Walks all streams of the log, some at a time.
 * Any thread but the loop's. */
void command_streams_drop(struct engine *en, const char *owner,
                          const char *session_id);

#endif
