package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// PutToken gives a partner the whole token (TOK-07). The endpoint is that of the partner's tokens RECEIVER.
func (c *Client) PutToken(ctx context.Context, peer Peer, endpoint string, token ocpi.Token) error {
	return c.pushToken(ctx, http.MethodPut, peer, endpoint, &token, &token)
}

// PatchToken gives a partner the members of a token that changed, last_updated among them (TOK-09).
func (c *Client) PatchToken(ctx context.Context, peer Peer, endpoint string, token ocpi.Token, patch jsontext.Value) error {
	body, err := peer.Auth.dialect().Write(patch, &token)
	if err != nil {
		return fmt.Errorf("encode the patch of a token: %w", err)
	}
	return c.pushToken(ctx, http.MethodPatch, peer, endpoint, &token, jsontext.Value(body))
}

func (c *Client) pushToken(ctx context.Context, method string, peer Peer, endpoint string, token *ocpi.Token, body any) error {
	address, err := tokenURL(peer, endpoint, token)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, request{method: method, module: ocpi.ModuleTokens, url: address, auth: peer.Auth, routing: peer.Routing, body: body})
	return err
}

// GetToken returns the partner's copy of a token of ours (TOK-12).
func (c *Client) GetToken(ctx context.Context, peer Peer, endpoint string, token ocpi.Token) (ocpi.Token, error) {
	address, err := tokenURL(peer, endpoint, &token)
	if err != nil {
		return ocpi.Token{}, err
	}
	a, err := c.do(ctx, request{method: http.MethodGet, module: ocpi.ModuleTokens, url: address, auth: peer.Auth, routing: peer.Routing})
	if err != nil {
		return ocpi.Token{}, err
	}
	var theirs ocpi.Token
	if _, err := peer.Auth.dialect().Decode(a.data, &theirs, ocpi.Origin{Owner: token.Party()}, ocpi.UnmarshalLenient); err != nil {
		return ocpi.Token{}, a.notOCPI(err)
	}
	return theirs, nil
}

func tokenURL(peer Peer, endpoint string, token *ocpi.Token) (string, error) {
	query := url.Values{"type": {string(token.Type)}}
	if peer.Auth.dialect().NoTokenType {
		query = nil
	}
	return join(endpoint, query, token.CountryCode, token.PartyID, token.UID)
}
