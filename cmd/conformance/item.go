package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// item is one obligation.
type item struct {
	id       string // "CDR-07"
	level    string // one of levels
	title    string
	decision string // why it is left out, or what of it is not ours; may be empty
}

// levels say where an obligation comes from.
var levels = map[string]string{
	"M": "OCPI demands it",
	"S": "OCPI recommends it",
	"O": "OCPI leaves it to us",
	"D": "OCPI is silent or contradicts itself, and this is what we do",
}

// chapter is the items that share a prefix.
type chapter struct {
	prefix string
	title  string
	items  []item
}

type chapters []chapter

var itemID = regexp.MustCompile(`^([A-Z]{3,4})-\d{2}$`)

// readItems reads docs/conformance.tsv: id, level, title and perhaps a decision; a line with a prefix and no level begins a
// chapter.
func readItems(path string) (chapters, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all chapters
	seen := map[string]bool{}
	for n, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		fields := append(strings.Split(line, "\t"), "", "", "")
		id, level, title := fields[0], fields[1], fields[2]
		switch parts := itemID.FindStringSubmatch(id); {
		case seen[id] || title == "":
			return nil, fmt.Errorf("%s:%d: %q is there already or has no title", path, n+1, id)
		case parts == nil && level == "":
			all = append(all, chapter{prefix: id, title: title})
		case parts == nil || len(all) == 0 || all[len(all)-1].prefix != parts[1] || levels[level] == "":
			return nil, fmt.Errorf("%s:%d: %q is no item of level M, S, O or D in its chapter", path, n+1, id)
		default:
			last := &all[len(all)-1]
			last.items = append(last.items, item{id, level, title, fields[3]})
		}
		seen[id] = true
	}
	return all, nil
}

func (all chapters) has(id string) bool {
	for _, c := range all {
		for _, i := range c.items {
			if i.id == id {
				return true
			}
		}
	}
	return false
}
