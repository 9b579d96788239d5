package office

// Route is a page or an action of the back office.
type Route struct {
	Method, Path string // behind the language
	Operator     bool   // not for the staff of a utility
}

// Routes is every page and action of the back office.
func Routes() (all []Route) {
	for _, r := range routes {
		all = append(all, Route{r.method, r.path, r.audience == operator})
	}
	return all
}

// CheckPassword checks a password against its hash.
var CheckPassword = checkPassword
