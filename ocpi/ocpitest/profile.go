package ocpitest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// serveProfiles is the receiver of charging profiles (CHP-01 to CHP-03).
func (p *Peer) serveProfiles(r *http.Request, in inbound) answer {
	where := r.Method + " " + r.URL.Path
	if len(in.path) != 1 {
		return refuse(ocpi.NotFound(ocpi.StatusInvalidParameters, "the path of a charging profile is its session"))
	}
	cpos, err := p.addressed(in, false)
	if err != nil {
		return refuse(err)
	}
	command := Command{
		Type: ocpi.CommandType(r.Method), From: in.routing.From, cpo: cpos[0], module: ocpi.ModuleChargingProfiles,
		Session: in.path[0], ResponseURL: r.URL.Query().Get("response_url"),
	}
	var yes, no any = ocpi.ChargingProfileResult{Result: ocpi.ProfileResultAccepted}, ocpi.ChargingProfileResult{Result: ocpi.ProfileResultUnknown}
	switch r.Method {
	case http.MethodPut:
		var set ocpi.SetChargingProfile
		if err := decode(in.body, &set); err != nil {
			p.complain("CHP-07", where, "%v", err)
			return refuse(err)
		}
		command.Profile, command.ResponseURL = set.ChargingProfile, set.ResponseURL
	case http.MethodGet:
		seconds, err := strconv.Atoi(r.URL.Query().Get("duration"))
		if err != nil || seconds < 1 {
			p.complain("CHP-02", where, "the duration is %q", r.URL.Query().Get("duration"))
			return refuse(ocpi.InvalidParameter("duration", "is required, in seconds", r.URL.Query().Get("duration")))
		}
		active := command.cpo.activeProfile(command.Session, seconds)
		yes, no = ocpi.ActiveChargingProfileResult{Result: ocpi.ProfileResultAccepted, Profile: &active}, ocpi.ActiveChargingProfileResult{Result: ocpi.ProfileResultUnknown}
	case http.MethodDelete:
	default:
		p.complain("CHP-01", where, "there is no such method")
		return refuse(ocpi.MethodNotAllowed("GET, PUT and DELETE only"))
	}
	if command.ResponseURL == "" || len(command.ResponseURL) > 255 {
		p.complain("CHP-01", where, "the response_url is %q", command.ResponseURL)
		return refuse(ocpi.InvalidParameter("response_url", "is required", ""))
	}
	command.cpo.accept(r, command)
	switch {
	case p.currentFaults().TooOften:
		return success(ocpi.ChargingProfileResponse{Result: ocpi.ProfileResponseTooOften, Timeout: ocpi.Ptr(commandTimeout)})
	case !command.cpo.runs(command.Session):
		return success(ocpi.ChargingProfileResponse{Result: ocpi.ProfileResponseUnknownSession, Timeout: ocpi.Ptr(0)})
	}
	return p.answerCommand(command, yes, no)
}

// activeProfile is what a session will get: what was asked for last, or 22 kW.
func (c *CPO) activeProfile(session ocpi.CiString, seconds int) ocpi.ActiveChargingProfile {
	active := ocpi.ActiveChargingProfile{StartDateTime: c.now(), ChargingProfile: ocpi.ChargingProfile{
		ChargingRateUnit:      ocpi.RateWatt,
		ChargingProfilePeriod: []ocpi.ChargingProfilePeriod{{StartPeriod: ocpi.Ptr(0), Limit: ocpi.Number(decimal.New(22_000, 0))}},
	}}
	for _, command := range c.Commands() {
		if command.Type == http.MethodPut && command.Session.Equal(session) {
			active.ChargingProfile = command.Profile
		}
	}
	active.ChargingProfile.Duration = &seconds
	return active
}

// servePreferences takes a driver's wish for a running session (SES-19).
func (p *Peer) servePreferences(r *http.Request, in inbound) answer {
	if r.Method != http.MethodPut {
		return refuse(ocpi.MethodNotAllowed("PUT only"))
	}
	cpos, err := p.addressed(in, false)
	if err != nil {
		return refuse(err)
	}
	var wish ocpi.ChargingPreferences
	if err := ocpi.Unmarshal(in.body, &wish); err != nil {
		return refuse(err)
	}
	if !wish.ProfileType.Known() {
		p.complain("SES-19", r.Method+" "+r.URL.Path, "the profile_type is %q", wish.ProfileType)
		return refuse(ocpi.InvalidParameter("profile_type", "is required", string(wish.ProfileType)))
	}
	if !cpos[0].runs(in.path[0]) {
		return refuse(ocpi.NotFound(ocpi.StatusInvalidParameters, "no such session"))
	}
	verdict := ocpi.PreferencesAccepted
	switch {
	case wish.ProfileType == ocpi.ProfileRegular:
	case wish.DepartureTime.IsZero():
		verdict = ocpi.PreferencesDepartureRequired
	case !wish.EnergyNeed.Valid:
		verdict = ocpi.PreferencesEnergyNeedRequired
	case wish.DepartureTime.Before(p.now().Add(10 * time.Minute)):
		verdict = ocpi.PreferencesNotPossible
	}
	if p.currentFaults().ObjectAnswer {
		return success(map[string]any{"result": verdict})
	}
	return success(verdict)
}
