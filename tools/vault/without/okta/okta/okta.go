// Package okta stands in for the client of Okta, a second factor of logins that no test has.
package okta

import (
	"context"
	"errors"
	"net/http"
)

var errWithout = errors.New("this Vault is built without Okta")

type Configuration struct{ Context context.Context }

type ConfigSetter func(*Configuration)

func WithToken(string) ConfigSetter  { return func(*Configuration) {} }
func WithOrgUrl(string) ConfigSetter { return func(*Configuration) {} }
func WithCache(bool) ConfigSetter    { return func(*Configuration) {} }

func NewConfiguration(...ConfigSetter) (*Configuration, error) { return nil, errWithout }

type APIClient struct {
	UserAPI       users
	UserFactorAPI factors
}

func NewAPIClient(*Configuration) *APIClient { return &APIClient{} }

func (*APIClient) GetConfig() *Configuration { return &Configuration{Context: context.Background()} }

type request[T any] struct{}

func (r request[T]) Filter(string) request[T] { return r }

func (request[T]) Execute() (result T, answer *http.Response, err error) {
	return result, nil, errWithout
}

type identified struct{}

func (identified) GetId() string { return "" }

type User struct{ identified }

type UserFactorPush struct{ identified }

type Factor struct{ UserFactorPush *UserFactorPush }

type Verification struct{ Links map[string]any }

func (*Verification) GetFactorResult() string { return "" }

type TransactionStatus struct {
	UserFactorPushTransaction, UserFactorPushTransactionWaiting         *struct{}
	UserFactorPushTransactionRejected, UserFactorPushTransactionTimeout *struct{}
}

type users struct{}

func (users) ListUsers(context.Context) (r request[[]User]) { return r }

type factors struct{}

func (factors) ListFactors(context.Context, string) (r request[[]Factor]) { return r }

func (factors) VerifyFactor(context.Context, string, string) (r request[*Verification]) { return r }

func (factors) GetFactorTransactionStatus(context.Context, string, string, string) (r request[*TransactionStatus]) {
	return r
}
