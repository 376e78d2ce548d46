# Completion of parley for bash. Commands and options are asked of the program,
# so that this file does not have to know them.

_parley_options() {
    "$1" "$2" --help 2>/dev/null | sed -n 's/^  \(--[a-z-]*\) .*/\1/p'
}

_parley() {
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]}
    local before=${COMP_WORDS[COMP_CWORD - 1]} words
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$("$program" help 2>/dev/null |
            sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
        return
    fi
    case ${COMP_WORDS[1]}:$before in
    chat:--auth)
        words='none bearer api_key basic oauth2'
        ;;
    export:--format)
        words='json jsonl md'
        ;;
    import:--format)
        words='auto parley chatgpt openwebui librechat openai'
        ;;
    chat:--file | chat:--ca-file)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    keys:keys) words='make list revoke' ;;
    keys:--scope) words='read chat admin' ;;
    keys:revoke)
        words=$("$program" keys list 2>/dev/null | sed '1d; s/ .*//')
        ;;
    audit:audit) words='verify show' ;;
    audit:--event)
        words=$("$program" audit --help 2>/dev/null |
            sed -n '/^events/,$s/^  \([a-z_]*\) .*/\1/p')
        ;;
    index:--drop)
        words=$("$program" index --list 2>/dev/null | sed 's/  .*//')
        ;;
    chat:* | doctor:* | index:* | keys:* | audit:*)
        words=$(_parley_options "$program" "${COMP_WORDS[1]}")
        ;;
    fsck:*) words=--repair ;;
    restore:*) words=--force ;;
    passwd:*) words='--stdin --delete --check' ;;
    export:*) words='--all --format' ;;
    import:*) words='--owner --format' ;;
    *) words= ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    if [ ${#COMPREPLY[@]} -eq 0 ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}

complete -o filenames -F _parley parley
