package words

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

// chineseFiles hold what is said, by topic: the English, on the line after it the
// Chinese, and an empty line. Lines that begin with # are for those who translate.
//
//go:embed zh/*.txt
var chineseFiles embed.FS

// chinese is all of it by the English. A text that two files have is of the first: a
// test wants them to agree.
func chinese() map[string]string {
	all := map[string]string{}
	eachPair(func(_, english, translation string) {
		if _, ok := all[english]; !ok {
			all[english] = translation
		}
	})
	return all
}

// eachPair calls f for every text of every file. What is not of their form is a
// mistake of the program.
func eachPair(f func(file, english, translation string)) {
	names, _ := fs.Glob(chineseFiles, "zh/*.txt") // the pattern is good
	for _, name := range names {
		b, err := chineseFiles.ReadFile(name)
		if err != nil {
			panic(err) // it was listed
		}
		for block := range strings.SplitSeq(string(b), "\n\n") {
			english, translation, err := pair(block)
			if err != nil {
				panic(fmt.Sprintf("words: %s: %v", name, err))
			}
			if english != "" {
				f(name, english, translation)
			}
		}
	}
}

// pair reads one text and its translation; both are "" where a block has only
// comments.
func pair(block string) (english, translation string, err error) {
	var lines []string
	for line := range strings.Lines(block) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	switch len(lines) {
	case 0:
		return "", "", nil
	case 2:
		return lines[0], lines[1], nil
	}
	return "", "", fmt.Errorf("want the English and the Chinese, one line each, in %q", block)
}
