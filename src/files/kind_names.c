/*
 * The table of names: one row for each reader and media type, with all of its
 * extensions between blanks. It is looked through from the beginning, some
 * microseconds for a file that is then read.
 */
#include "base/base.h"

#include "files/kind_names.h"

#include "base/text.h"

#define NAME_MAX_LEN 31 /* bytes of an extension or name that is in here */

static const char docx_type[] = "application/vnd.openxmlformats-officedocument"
                                ".wordprocessingml.document";

struct row {
    struct kind kind;
    const char *names; /* between blanks */
};

static const struct row extensions[] = {
    {{KIND_TEXT, TEXT_PLAIN, "text/plain"},
     " txt text log me 1st nfo asc rst adoc asciidoc org textile wiki "
     "mediawiki pod tex latex ltx sty bib bbl eml mbox srt vtt sub lrc ics "
     "vcf vcard po pot fountain "},
    {{KIND_TEXT, TEXT_MARKDOWN, "text/markdown"},
     " md markdown mdown mkd mkdn mdwn mdtext mdx rmd qmd "},
    {{KIND_TEXT, TEXT_CSV, "text/csv"}, " csv "},
    {{KIND_TEXT, TEXT_CSV, "text/tab-separated-values"}, " tsv tab "},
    {{KIND_TEXT, TEXT_JSON, "application/json"},
     " json jsonc geojson topojson webmanifest har ipynb avsc "},
    {{KIND_TEXT, TEXT_JSON, "application/x-ndjson"},
     " jsonl ndjson ldjson json-seq "},
    {{KIND_TEXT, TEXT_CODE, "text/x-c"},
     " c h cc cpp cxx c++ hh hpp hxx h++ ino inl ipp tcc cu cuh m mm "},
    {{KIND_TEXT, TEXT_CODE, "text/x-python"}, " py pyi pyw pyx pxd bzl star "},
    {{KIND_TEXT, TEXT_CODE, "text/javascript"}, " js mjs cjs jsx es6 "},
    {{KIND_TEXT, TEXT_CODE, "text/typescript"}, " ts mts cts tsx "},
    {{KIND_TEXT, TEXT_CODE, "text/x-java"},
     " java kt kts scala sc groovy gradle clj cljs cljc edn "},
    {{KIND_TEXT, TEXT_CODE, "text/x-csharp"},
     " cs csx fs fsi fsx vb vbs bas razor cshtml csproj sln "},
    {{KIND_TEXT, TEXT_CODE, "text/x-go"}, " go mod work templ "},
    {{KIND_TEXT, TEXT_CODE, "text/x-rust"}, " rs ron "},
    {{KIND_TEXT, TEXT_CODE, "text/x-swift"}, " swift dart zig nim v odin d "},
    {{KIND_TEXT, TEXT_CODE, "text/x-ruby"},
     " rb erb rake gemspec ru cr ex exs eex heex leex "},
    {{KIND_TEXT, TEXT_CODE, "text/x-php"}, " php phtml php3 php4 php5 inc "},
    {{KIND_TEXT, TEXT_CODE, "text/x-perl"}, " pl pm t raku p6 tcl "},
    {{KIND_TEXT, TEXT_CODE, "text/x-shellscript"},
     " sh bash zsh fish ksh csh ps1 psm1 psd1 bat cmd awk sed "},
    {{KIND_TEXT, TEXT_CODE, "text/x-lisp"},
     " lisp lsp cl el scm ss rkt hs lhs ml mli elm erl hrl purs idr agda "
     "lean coq fnl hy "},
    {{KIND_TEXT, TEXT_CODE, "text/x-source"},
     " r jl lua pas pp dpr ada adb ads f f77 f90 f95 f03 for cob cbl asm s "
     "sv svh vh vhd vhdl vala gd glsl hlsl vert frag comp wgsl metal "
     "shader matlab sas do ado stan sol move cairo cypher gql graphql "
     "proto thrift capnp fbs ebnf g4 y yy l lex peg lark feature robot nix "
     "dhall jsonnet libsonnet cue rego tf tfvars hcl bicep puml plantuml "
     "mmd dot gv ps1xml diff patch "},
    {{KIND_TEXT, TEXT_CODE, "application/sql"},
     " sql ddl dml psql pgsql mysql plsql "},
    {{KIND_TEXT, TEXT_CODE, "text/css"}, " css scss sass less styl pcss "},
    {{KIND_TEXT, TEXT_CODE, "text/x-template"},
     " vue svelte astro hbs handlebars mustache ejs jinja jinja2 j2 njk "
     "liquid pug jade haml slim twig tmpl tpl gotmpl jsp aspx "},
    {{KIND_TEXT, TEXT_CODE, "application/yaml"}, " yaml yml "},
    {{KIND_TEXT, TEXT_CODE, "application/toml"}, " toml "},
    {{KIND_TEXT, TEXT_CODE, "text/x-settings"},
     " ini cfg conf config properties prop env editorconfig desktop service "
     "socket timer rules reg plist strings json5 hjson mk mak cmake am ac "
     "in m4 bazel gn gni ninja meson lock sum dockerfile containerfile "},
    {{KIND_TEXT, TEXT_CODE, "text/xml"},
     " xml xsl xslt xsd dtd rng rnc wsdl rss atom opml kml gpx tei fb2 dbk "
     "xaml xlf xliff tmx resx svg gml musicxml "},
    {{KIND_HTML, TEXT_PLAIN, "text/html"}, " html htm xhtml xht shtml "},
    {{KIND_PDF, TEXT_PLAIN, "application/pdf"}, " pdf "},
    {{KIND_DOCX, TEXT_PLAIN, docx_type}, " docx docm "},
    {{KIND_ODT, TEXT_PLAIN, "application/vnd.oasis.opendocument.text"},
     " odt "},
    {{KIND_EPUB, TEXT_PLAIN, "application/epub+zip"}, " epub "},
    {{KIND_IMAGE, TEXT_PLAIN, "image/jpeg"}, " jpg jpeg jpe jfif "},
    {{KIND_IMAGE, TEXT_PLAIN, "image/png"}, " png apng "},
    {{KIND_IMAGE, TEXT_PLAIN, "image/gif"}, " gif "},
    {{KIND_IMAGE, TEXT_PLAIN, "image/webp"}, " webp "},
    {{KIND_NONE, TEXT_PLAIN, ""},
     " zip gz tgz bz2 xz zst 7z rar tar jar war apk deb rpm iso dmg exe dll "
     "so o a lib obj pdb class pyc pyo wasm bin dat db sqlite sqlite3 mdb "
     "pack idx doc xls xlsx xlsm ppt pptx pps ppsx ods odp odg pages "
     "numbers key rtf ps eps ai psd xcf indd mobi azw azw3 djvu mp3 m4a "
     "aac ogg oga opus flac wav wma mid mp4 m4v mkv mov avi webm wmv flv "
     "mpg mpeg bmp tif tiff ico icns heic heif avif jxl raw cr2 nef dng "
     "ttf otf woff woff2 eot parquet arrow npy npz pkl pt onnx safetensors "
     "gguf h5 "},
};

static const struct row whole[] = {
    {{KIND_TEXT, TEXT_PLAIN, "text/plain"},
     " readme license licence copying authors contributors changelog "
     "changes news notice install todo thanks maintainers codeowners "
     "version "},
    {{KIND_TEXT, TEXT_CODE, "text/x-settings"},
     " makefile gnumakefile bsdmakefile dockerfile containerfile "
     "jenkinsfile vagrantfile procfile rakefile gemfile podfile brewfile "
     "justfile cmakelists.txt meson.build build workspace kconfig "
     ".gitignore .gitattributes .gitmodules .dockerignore .npmignore "
     ".npmrc .env .bashrc .bash_profile .profile .zshrc .vimrc .htaccess "
     ".editorconfig .gitconfig .inputrc requirements.txt "},
    {{KIND_TEXT, TEXT_JSON, "application/json"},
     " .babelrc .eslintrc .prettierrc .jshintrc "},
};

static bool
find(const struct row *rows, size_t n_rows, const char *name, struct kind *out)
{
    char word[NAME_MAX_LEN + 3] = " ";
    size_t n = strlen(name);

    if (n == 0 || n > NAME_MAX_LEN || strchr(name, ' '))
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];

        word[i + 1] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    word[n + 1] = ' ';
    for (size_t i = 0; i < n_rows; i++)
        if (strstr(rows[i].names, word)) {
            *out = rows[i].kind;
            return true;
        }
    return false;
}

bool
kind_named(const char *path, struct kind *out)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    if (find(whole, COUNT_OF(whole), name, out))
        return true;
    return dot && dot > name &&
           find(extensions, COUNT_OF(extensions), dot + 1, out);
}

const char *
kind_type(enum file_kind kind)
{
    switch (kind) {
    case KIND_HTML: return "text/html";
    case KIND_PDF: return "application/pdf";
    case KIND_DOCX: return docx_type;
    case KIND_ODT: return "application/vnd.oasis.opendocument.text";
    case KIND_EPUB: return "application/epub+zip";
    case KIND_NONE:
    case KIND_TEXT:
    case KIND_IMAGE: break;
    }
    return "";
}
