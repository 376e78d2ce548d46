/*
 * The words for why a file is not in the index. A row is the name that programs
 * read, and the sentence for people; the names are part of the HTTP API.
 */
#include "base/base.h"

#include "files/block.h"

static const struct {
    const char *name;
    const char *text;
} skips[SKIP__N] = {
    [SKIP_NOT] = {"", ""},
    [SKIP_EMPTY] = {"empty", "There is no text in it."},
    [SKIP_TYPE] = {"type", "Files of this type are not read."},
    [SKIP_BINARY] = {"binary", "It is named like text and is not text."},
    [SKIP_BROKEN] = {"broken", "It is damaged or cut off."},
    [SKIP_ENCRYPTED] = {"encrypted", "It needs a password to be opened."},
    [SKIP_SIZE] = {"size", "It is larger than FILE_SIZE_MAX."},
    [SKIP_BOMB] = {"bomb", "It unpacks to too much, or nests too deep."},
    [SKIP_TIME] = {"time", "Reading it took too long or too much memory."},
    [SKIP_READ] = {"unreadable", "The system does not let it be read."},
    [SKIP_DIED] = {"died", "It could not be read: the reader died."},
    [SKIP_WAITING] = {"waiting", "It came, and is not read yet."},
};

const char *
skip_name(enum skip why)
{
    assert(why < SKIP__N);
    return skips[why].name;
}

const char *
skip_text(enum skip why)
{
    assert(why < SKIP__N);
    return skips[why].text;
}

bool
skip_parse(const char *name, enum skip *out)
{
    for (int i = 0; i < SKIP__N; i++)
        if (strcmp(skips[i].name, name) == 0) {
            *out = (enum skip)i;
            return true;
        }
    return false;
}
