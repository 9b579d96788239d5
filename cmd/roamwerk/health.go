package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// answerHealth says that the process lives.
func answerHealth(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness is the answer of GET /readyz. A check is "ok" or "failed"; why it
// failed is for the log, not for whoever asks.
type readiness struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"`
}

// answerReady says whether this process can do its work: 200, or 503.
func (a *app) answerReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	answer := readiness{Ready: true, Checks: map[string]string{}}
	for name, check := range map[string]func(context.Context) error{
		"database":   a.db.Ping,
		"migrations": a.db.Ready,
		"redis":      func(ctx context.Context) error { return a.redis.Ping(ctx).Err() },
	} {
		answer.Checks[name] = "ok"
		if err := check(ctx); err != nil {
			a.log.WarnContext(ctx, "not ready", "check", name, "error", err)
			answer.Ready, answer.Checks[name] = false, "failed"
		}
	}
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
	}
	answerJSON(w, status, answer)
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller is gone if this fails
}
