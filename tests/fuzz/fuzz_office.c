/*
 * Fuzzes the readers of DOCX and ODT. The first byte says what the rest is: a
 * whole archive, or one part of an archive that is otherwise sound.
 */
#include "readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT(s) (s), sizeof(s) - 1

static const char document[] =
    "<w:document xmlns:w='w'><w:p><w:pPr><w:pStyle w:val='a'/></w:pPr><w:r>"
    "<w:t>text</w:t></w:r></w:p></w:document>";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct part fuzzed[] = {
        {"word/document.xml", data + 1, size - 1},
        {"word/styles.xml", data + 1, size - 1},
        {"_rels/.rels", data + 1, size - 1},
        {"content.xml", data + 1, size - 1},
        {"META-INF/manifest.xml", data + 1, size - 1},
    };
    const struct part main_part = {"word/document.xml", TEXT(document)};
    const struct part content = {"content.xml",
                                 TEXT("<body><p>text</p></body>")};
    struct part two[2];

    if (size == 0)
        return 0;
    switch (data[0] % 7) {
    case 0: check_reader(docx_read, data + 1, size - 1); break;
    case 1: check_reader(odt_read, data + 1, size - 1); break;
    case 2: check_archive(docx_read, &fuzzed[0], 1); break;
    case 3:
        two[0] = main_part;
        two[1] = fuzzed[1];
        check_archive(docx_read, two, 2);
        break;
    case 4:
        two[0] = main_part;
        two[1] = fuzzed[2];
        check_archive(docx_read, two, 2);
        break;
    case 5: check_archive(odt_read, &fuzzed[3], 1); break;
    default:
        two[0] = content;
        two[1] = fuzzed[4];
        check_archive(odt_read, two, 2);
    }
    return 0;
}
