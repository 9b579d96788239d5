package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// simulateCmd is a CPO or a hub that talks OCPI to any platform, for trying one out and for load.
type simulateCmd struct {
	VersionsURL string   `name:"versions-url" help:"Versions URL of the platform." placeholder:"URL"`
	Token       string   `help:"Token A that the platform issued; we start the handshake." placeholder:"TOKEN"`
	Role        string   `help:"What to be." enum:"CPO,HUB" default:"CPO"`
	Version     string   `help:"OCPI to speak: 2.1.1, 2.2.1 or 2.3.0. A hub speaks none before 2.2.1." enum:"2.1.1,2.2.1,2.3.0" default:"2.2.1"`
	Party       string   `help:"Party of the CPO, or of the hub." default:"DE*SIM"`
	Name        string   `help:"Business name." default:"Simulator"`
	CPOs        int      `name:"cpos" help:"CPOs behind the hub." default:"3"`
	Locations   int      `help:"Locations of each CPO." default:"5"`
	Sessions    int      `help:"Charging sessions to deliver, each with its updates and its CDR." default:"10"`
	Rate        float64  `help:"Sessions a second; 0: as fast as it goes." default:"0"`
	Connections int      `help:"Sessions that are delivered at once." default:"4"`
	Seed        uint64   `help:"What is invented follows from it; 0: a new one."`
	Listen      string   `help:"Address to listen on." default:"127.0.0.1:0" placeholder:"ADDR"`
	BaseURL     string   `name:"base-url" help:"How the platform reaches us, when that is not http:// and the address." placeholder:"URL"`
	Faults      []string `help:"Faults to have: ${faults}." placeholder:"NAME"`
	Tokens      []string `help:"Cards to charge with, instead of those that the platform tells us of." placeholder:"UID"`
	Wait        string   `help:"How long to wait for the platform to push cards before we ask for them." default:"3s"`
	State       string   `help:"File that keeps the registration, so that the next run goes on with it." placeholder:"FILE"`
	Stay        bool     `help:"Stay reachable at the end, until interrupted."`
}

// simulation is a run of the command.
type simulation struct {
	simulateCmd
	outside *outside
	seed    uint64
	faults  ocpitest.Faults
	peer    *ocpitest.Peer
	hub     *ocpitest.Hub // nil: a CPO
	cpos    []*ocpitest.CPO
	meter   stopwatch
	print   sync.Mutex
	failed  int // steps that ended in an error; guarded by print
}

// Run registers, publishes, delivers the sessions and prints what happened.
func (c simulateCmd) Run(o *outside) (err error) {
	s := &simulation{simulateCmd: c, outside: o, seed: c.Seed}
	if s.seed == 0 {
		s.seed = rand.Uint64()
	}
	wait, err := time.ParseDuration(c.Wait)
	if err != nil {
		return fmt.Errorf("--wait: %w", err)
	}
	if s.faults, err = ocpitest.ParseFaults(c.Faults); err != nil {
		return fmt.Errorf("--faults: %w", err)
	}
	if err := s.build(); err != nil {
		return err
	}
	if err := s.peer.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.peer.Close()) }()
	s.say(map[string]any{"step": "listen", "versions_url": s.peer.VersionsURL(), "seed": s.seed})

	if err := s.connect(); err != nil {
		return err
	}
	for _, cpo := range s.cpos {
		if err := s.step("publish "+cpo.Party().String(), func() error { return cpo.Publish(o.ctx) }); err != nil {
			return err
		}
	}
	cards, err := s.cards(wait)
	if err != nil {
		return err
	}
	began := time.Now()
	err = s.deliver(cards)
	s.summary(time.Since(began))
	if c.Stay && o.ctx.Err() == nil {
		<-o.ctx.Done()
	}
	return err
}

// build makes the parties.
func (s *simulation) build() error {
	party, err := ocpi.ParseParty(s.Party)
	if err != nil {
		return fmt.Errorf("--party: %w", err)
	}
	options := ocpitest.Options{
		Name: s.Name, Party: party, Version: ocpi.VersionNumber(s.Version), Seed: s.seed, Sites: s.Locations, Listen: s.Listen, BaseURL: s.BaseURL,
		Log: slog.New(slog.NewTextHandler(s.outside.stderr, nil)), Faults: s.faults.WireFaults, Observe: s.meter.observe,
		Client: ocpitest.NewClient(max(s.Connections, 1)),
	}
	if s.Role == string(ocpi.RoleCPO) {
		cpo := ocpitest.NewCPO(options)
		s.peer, s.cpos = cpo.Peer, []*ocpitest.CPO{cpo}
		return nil
	}
	if s.Version == string(ocpi.Version211) {
		return errors.New("--version: there are no hubs in OCPI 2.1.1")
	}
	s.hub = ocpitest.NewHub(options)
	s.peer = s.hub.Peer
	for n := range min(max(s.CPOs, 1), 99) {
		id := ocpi.CiString(fmt.Sprintf("%.1s%02d", party.PartyID, n+1))
		s.cpos = append(s.cpos, s.hub.AddCPO(ocpitest.Options{
			Name: fmt.Sprintf("%s %d", s.Name, n+1), Party: ocpi.Party{CountryCode: party.CountryCode, PartyID: id}, Seed: s.seed, Sites: s.Locations,
		}))
	}
	return nil
}

// connect goes on with an earlier registration or registers now.
func (s *simulation) connect() error {
	ctx := s.outside.ctx
	resumed, err := s.resume()
	if err != nil {
		return err
	}
	if !resumed {
		if s.VersionsURL == "" || s.Token == "" {
			return errors.New("--versions-url and --token are needed to register")
		}
		if err := s.step("register", func() error { return s.peer.Register(ctx, s.VersionsURL, s.Token) }); err != nil {
			return err
		}
		if err := s.keep(); err != nil {
			return err
		}
	}
	if s.hub == nil {
		return nil
	}
	return s.step("announce", func() error { return s.hub.Announce(ctx) })
}

func (s *simulation) resume() (bool, error) {
	if s.State == "" {
		return false, nil
	}
	text, err := os.ReadFile(s.State)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var r ocpitest.Registration
	if err := ocpi.Unmarshal(text, &r); err != nil {
		return false, fmt.Errorf("%s: %w", s.State, err)
	}
	s.peer.Resume(r)
	return true, nil
}

func (s *simulation) keep() error {
	r, registered := s.peer.Registration()
	if s.State == "" || !registered {
		return nil
	}
	text, err := ocpi.Marshal(r)
	if err != nil {
		return err
	}
	return writeFile(s.State, text)
}

// cards are what the drivers hold: the given ones, or what the platform has pushed, or what it lists.
func (s *simulation) cards(wait time.Duration) ([]ocpi.Token, error) {
	ctx, cpo := s.outside.ctx, s.cpos[0]
	emsps := s.peer.EMSPs()
	if len(emsps) == 0 {
		return nil, errors.New("the platform names no eMSP in its credentials")
	}
	if len(s.Tokens) > 0 {
		var cards []ocpi.Token
		for _, uid := range s.Tokens {
			cards = append(cards, ocpi.Token{
				CountryCode: emsps[0].CountryCode, PartyID: emsps[0].PartyID, UID: ocpi.CiString(uid), Type: ocpi.TokenRFID,
				ContractID: ocpi.CiString(uid), Whitelist: ocpi.WhitelistAlways,
			})
		}
		return cards, nil
	}
	valid := func() []ocpi.Token {
		return slices.DeleteFunc(cpo.Tokens(), func(t ocpi.Token) bool { return t.Valid == nil || !*t.Valid })
	}
	for end := time.Now().Add(wait); len(valid()) == 0 && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	if len(valid()) == 0 {
		if err := s.step("pull tokens", func() error { _, err := cpo.PullTokens(ctx); return err }); err != nil {
			return nil, err
		}
	}
	if cards := valid(); len(cards) > 0 {
		return cards, nil
	}
	return nil, errors.New("the platform knows no valid card: issue one, or name some with --tokens")
}

// deliver charges and tells the platform of it.
func (s *simulation) deliver(cards []ocpi.Token) error {
	ctx := s.outside.ctx
	var pace <-chan time.Time
	if s.Rate > 0 {
		ticker := time.NewTicker(time.Duration(float64(time.Second) / s.Rate))
		defer ticker.Stop()
		pace = ticker.C
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(s.Connections, 1))
	random := rand.New(rand.NewPCG(s.seed, 1))
	// The sessions lie so far back that nothing, late and credit CDRs included, is in the future.
	newest := time.Now().Add(-5*24*time.Hour - s.faults.Late)
	for n := range s.Sessions {
		if pace != nil {
			select {
			case <-ctx.Done():
			case <-pace:
			}
		}
		if ctx.Err() != nil {
			break
		}
		cpo, card := s.cpos[n%len(s.cpos)], cards[random.IntN(len(cards))]
		visit := ocpitest.Visit{Token: card, Arrival: newest.Add(-time.Duration(random.IntN(14*24*60)) * time.Minute), Oddities: s.faults.Oddities}
		group.Go(func() error {
			s.session(ctx, cpo, visit)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return s.outside.ctx.Err()
}

// session asks whether the card may charge, unless it need not (TOK-13), and charges.
func (s *simulation) session(ctx context.Context, cpo *ocpitest.CPO, visit ocpitest.Visit) {
	if visit.Token.Whitelist != ocpi.WhitelistAlways {
		info, err := cpo.Authorize(ctx, visit.Token, nil)
		if err == nil && info.Allowed != ocpi.AllowedAllowed {
			err = fmt.Errorf("authorize: %s", info.Allowed)
		}
		if err != nil {
			s.fail("authorize", err)
			return
		}
		visit.AuthMethod, visit.AuthorizationReference = ocpi.AuthRequest, info.AuthorizationReference
	}
	for _, event := range cpo.Draw(visit).Events() {
		if ctx.Err() != nil {
			return
		}
		if err := event.Do(ctx); err != nil {
			s.fail(event.What, err)
		}
	}
}

// step does something once and says how it went.
func (s *simulation) step(name string, do func() error) error {
	began := time.Now()
	if err := do(); err != nil {
		s.fail(name, err)
		return fmt.Errorf("%s: %w", name, err)
	}
	s.say(map[string]any{"step": name, "ms": milliseconds(time.Since(began))})
	return nil
}

func (s *simulation) fail(step string, err error) {
	s.print.Lock()
	s.failed++
	s.print.Unlock()
	s.say(map[string]any{"step": step, "error": err.Error()})
}

func (s *simulation) say(line map[string]any) {
	s.print.Lock()
	defer s.print.Unlock()
	s.write(s.outside.stdout, line)
}

func (s *simulation) write(w io.Writer, line map[string]any) {
	if err := printJSON(w, line); err != nil {
		fmt.Fprintln(s.outside.stderr, "roamwerk:", err)
	}
}

// summary prints the counts and times of the whole run.
func (s *simulation) summary(took time.Duration) {
	sessions, cdrs := 0, 0
	for _, cpo := range s.cpos {
		sessions += len(cpo.Sessions())
		cdrs += len(cpo.CDRs())
	}
	complaints := s.peer.Complaints()
	calls := s.meter.report()
	s.print.Lock()
	defer s.print.Unlock()
	s.write(s.outside.stdout, map[string]any{
		"step": "summary", "seconds": float64(took.Milliseconds()) / 1000, "sessions": sessions, "cdrs": cdrs, "errors": s.failed,
		"sessions_per_second": int(float64(sessions) / max(took.Seconds(), 0.001)), "calls": calls,
		"complaints": append([]string{}, complaints[:min(len(complaints), 20)]...), "complaints_total": len(complaints),
	})
}
