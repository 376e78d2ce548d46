/*
 * Fuzzes the reader of HTML, with any charset that a page may ask for. Whatever
 * it is, blocks are as they must be.
 */
#include "readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_reader(html_read, data, size);
    return 0;
}
