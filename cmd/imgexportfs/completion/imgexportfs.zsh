#compdef imgexportfs imgexport
# Completion of imgexportfs and imgexport for zsh. The program knows the words.
_imgexportfs() {
	local -a answer offered
	local word description
	answer=("${(@f)$("${words[1]}" __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
	for word in "${(@)answer[2,-1]}"; do
		description=${word#*$'\t'}
		word=${word%%$'\t'*}
		offered+=("${word//:/\\:}:${description//:/\\:}")
	done
	(( ${#offered} )) && _describe 'imgexportfs' offered
	[[ $PREFIX == --*=* ]] && compset -P 1 '*='
	case ${answer[1]} in
	files) _files ;;
	directories) _files -/ ;;
	esac
}
if [[ $funcstack[1] == _imgexportfs ]]; then
	_imgexportfs "$@"
else
	compdef _imgexportfs imgexportfs imgexport
fi
