package office

// Routes is every page and action of the back office: method and path behind the language.
func Routes() (all [][2]string) {
	for _, r := range routes {
		all = append(all, [2]string{r.method, r.path})
	}
	return all
}

// Cell is how a text is written into a table.
var Cell = cell

// CheckPassword checks a password against its hash.
var CheckPassword = checkPassword
