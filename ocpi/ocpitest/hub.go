package ocpitest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Hub is one roaming hub with CPOs behind it. It shows nothing but its HUB
// role in its credentials (CRED-33) and tells of its CPOs by hubclientinfo.
type Hub struct {
	*Peer
}

// NewHub builds a hub with nobody behind it. It serves after Start.
func NewHub(o Options) *Hub { return &Hub{newPeer(ocpi.RoleHub, o)} }

// AddCPO puts a CPO behind the hub. Of the options only name, party, seed,
// sites and prices count: the connection is the hub's.
func (h *Hub) AddCPO(o Options) *CPO { return h.addCPO(o) }

// CPOs are those behind the hub.
func (h *Hub) CPOs() []*CPO {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.cpos)
}

// Announce pushes the connection of every CPO (HUB-01).
func (h *Hub) Announce(ctx context.Context) error {
	h.mu.Lock()
	clients := slices.Clone(h.clients)
	h.mu.Unlock()
	for _, client := range clients {
		if err := h.putClient(ctx, client); err != nil {
			return err
		}
	}
	return nil
}

// SetConnection changes how a CPO can be reached and says so (HUB-05).
func (h *Hub) SetConnection(ctx context.Context, cpo ocpi.Party, status ocpi.ConnectionStatus) error {
	h.mu.Lock()
	i := slices.IndexFunc(h.clients, func(c ocpi.ClientInfo) bool { return c.Party().Equal(cpo) })
	if i < 0 {
		h.mu.Unlock()
		return fmt.Errorf("set the connection of %s: not behind this hub", cpo)
	}
	h.clients[i].Status, h.clients[i].LastUpdated = status, h.now()
	client := h.clients[i]
	h.mu.Unlock()
	return h.putClient(ctx, client)
}

func (h *Hub) putClient(ctx context.Context, client ocpi.ClientInfo) error {
	_, err := h.push(ctx, http.MethodPut, ocpi.ModuleHubClientInfo, ocpi.Routing{}, client, client.CountryCode, client.PartyID)
	return err
}

// serveClients lists who is behind the hub (HUB-08).
func (p *Peer) serveClients(r *http.Request, in inbound) answer {
	if len(in.path) > 0 {
		return refuse(ocpi.NotFound(ocpi.StatusInvalidParameters, "clients are listed only"))
	}
	p.mu.Lock()
	clients := slices.Clone(p.clients)
	p.mu.Unlock()
	return page(p, r, clients, func(c *ocpi.ClientInfo) time.Time { return c.LastUpdated })
}
