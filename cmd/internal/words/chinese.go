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

// chinese reads all of it. What is not of that form is a mistake of the program.
func chinese() map[string]string {
	all := map[string]string{}
	names, _ := fs.Glob(chineseFiles, "zh/*.txt") // the pattern is good
	for _, name := range names {
		b, err := chineseFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		for block := range strings.SplitSeq(string(b), "\n\n") {
			english, translation, err := pair(block)
			switch was, twice := all[english], all[english] != ""; {
			case err != nil:
				panic(fmt.Sprintf("words: %s: %v", name, err))
			case twice && was != translation:
				panic(fmt.Sprintf("words: %s: %q has two translations", name, english))
			case english != "":
				all[english] = translation
			}
		}
	}
	return all
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
