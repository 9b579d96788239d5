package server

// Routes are the calls of all modules: "PUT locations/:country/:party/:location".
func Routes() []string {
	var all []string
	for _, m := range modules {
		for _, r := range m.routes {
			all = append(all, r.method+" "+string(m.id)+r.path)
		}
	}
	return all
}
