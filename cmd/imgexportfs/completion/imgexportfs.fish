# Completion of imgexportfs and imgexport for fish. The program knows the words.
function __imgexportfs_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] __complete $words[2..] "$current" 2>/dev/null)
    for line in $answer[2..]
        echo $line
    end
    switch "$answer[1]"
        case files
            __fish_complete_path (string replace -r '^--[a-z-]+=' '' -- $current)
        case directories
            __fish_complete_directories (string replace -r '^--[a-z-]+=' '' -- $current)
    end
end
complete -c imgexportfs -f -a '(__imgexportfs_complete)'
complete -c imgexport -f -a '(__imgexportfs_complete)'
