package office

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// messageView is one message with what was wrong with it, and how it would be right.
type messageView struct {
	db.MessageRow
	objects     []string // what it is about
	findings    []messageFinding
	example     []byte // an object as it should be; nil: we have none
	quarantined *db.Quarantine
}

// messageFinding is a rule that the message breaks, as it is stored with it.
type messageFinding struct {
	Severity string
	Path     string
	Rule     string
	Value    string
	Quirk    string
	right    string // what stands there in the example
}

func (o *office) messageDetail(v *visit) error {
	ctx := v.Request().Context()
	id, err := v.id()
	if err != nil {
		return err
	}
	var view messageView
	if view.MessageRow, err = o.DB.Message(ctx, db.MessageParams{ID: id, TenantID: v.tenant}); err != nil {
		return err
	}
	view.objects = slices.DeleteFunc(view.Message.Objects, func(by string) bool { return strings.HasPrefix(by, "/") }) // jobs.Findable
	if err := json.Unmarshal(view.Message.Findings, &view.findings); err != nil {
		return fmt.Errorf("findings of message %s: %w", id, err)
	}
	view.example = exampleOf(view.Message.Module, view.Message.Method, view.Message.Path)
	for i, f := range view.findings {
		view.findings[i].right = valueAt(view.example, f.Path)
	}
	quarantined, err := o.DB.QuarantineOfMessage(ctx, id)
	if err == nil {
		view.quarantined = &quarantined
	} else if !errors.Is(err, db.ErrNotFound) {
		return fmt.Errorf("quarantine of message %s: %w", id, err)
	}
	return v.render(http.StatusOK, messageDetailPage(v, view))
}

// exampleOf is an object of the kind that a message carries, as it should be; nil where we have none.
func exampleOf(module, method, path string) []byte {
	path, _, _ = strings.Cut(path, "?")
	_, below, _ := strings.Cut(path, "/"+module)
	below = strings.Trim(below, "/")
	levels := 0
	if below != "" {
		levels = strings.Count(below, "/") + 1
	}
	kind := ""
	switch ocpi.ModuleID(module) {
	case ocpi.ModuleLocations:
		kind = map[int]string{3: "location", 4: "evse", 5: "connector"}[levels]
	case ocpi.ModuleSessions:
		kind = "session"
	case ocpi.ModuleCDRs:
		kind = "cdr"
	case ocpi.ModuleTariffs:
		kind = "tariff"
	case ocpi.ModuleCredentials:
		kind = "credentials"
	case ocpi.ModuleCommands:
		kind = "commandresult"
	case ocpi.ModuleHubClientInfo:
		kind = "clientinfo"
	case ocpi.ModuleChargingProfiles:
		kind = "activechargingprofileresult"
		if method == http.MethodPut {
			kind = "activechargingprofile"
		}
	case ocpi.ModuleTokens:
		kind = "token"
		if method == http.MethodPost {
			kind = "locationreferences"
		}
	}
	return ocpi.Example(kind)
}

var pathSteps = regexp.MustCompile(`[^.\[\]]+|\[\d*\]`)

// valueAt is the value at a finding's path (charging_periods[3].dimensions[0].volume) in an object, as JSON in one line;
// empty where there is none. An element that a list does not have is its first.
func valueAt(object []byte, path string) string {
	var at any
	if path == "" || json.Unmarshal(object, &at) != nil {
		return ""
	}
	for _, step := range pathSteps.FindAllString(path, -1) {
		switch in := at.(type) {
		case map[string]any:
			at = in[step]
		case []any:
			i, err := strconv.Atoi(strings.Trim(step, "[]"))
			if err != nil || i >= len(in) {
				i = 0
			}
			if len(in) == 0 {
				return ""
			}
			at = in[i]
		default:
			return ""
		}
	}
	if at == nil {
		return ""
	}
	text, err := json.Marshal(at)
	if err != nil || len(text) > 200 {
		return ""
	}
	return string(text)
}

// traceable reports whether the trace page knows an object.
func traceable(object string) bool {
	kind, _, _ := strings.Cut(object, "/")
	return kind == "cdrs" || kind == "sessions" || kind == "locations" || kind == "tokens"
}
