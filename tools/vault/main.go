// A Vault for the tests: the core of HashiCorp's Vault with its HTTP API, the key/value engine and AppRole, over a
// directory. It starts as every Vault does, sealed and not initialized; who starts it does the rest by the API.
//
// Vault is under the Business Source License 1.1: this program is only run by tests, and is part of no distribution.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/builtin/credential/approle"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/vault"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "where it listens; what it took is printed")
	data := flag.String("data", "", "the directory of its storage")
	certificate := flag.String("certificate", "", "PEM file with its certificate; without one it speaks plain HTTP")
	key := flag.String("key", "", "PEM file with the key of the certificate")
	flag.Parse()
	if err := serve(*address, *data, *certificate, *key); err != nil {
		log.Fatal(err)
	}
}

func serve(address, data, certificate, key string) error {
	core, err := newCore(data)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	log.Print("listening on ", listener.Addr())
	properties := &vault.HandlerProperties{Core: core, ListenerConfig: &configutil.Listener{Type: "tcp"}}
	handler := vaulthttp.Handler.Handler(properties)
	if certificate == "" {
		return http.Serve(listener, handler)
	}
	return http.ServeTLS(listener, handler, certificate, key)
}

func newCore(data string) (*vault.Core, error) {
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: os.Stderr})
	storage, err := file.NewFileBackend(map[string]string{"path": data}, logger.Named("storage"))
	if err != nil {
		return nil, err
	}
	return vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		StorageType:        "file",
		Logger:             logger,
		LogicalBackends:    map[string]logical.Factory{"kv": kv.Factory},
		CredentialBackends: map[string]logical.Factory{"approle": approle.Factory},
		BuiltinRegistry:    noPlugins{},
		DisableMlock:       true, // locking memory takes rights that tests do not have
	})
}

// noPlugins is the catalog of the plugins that are built in: all there are were given to the core directly.
type noPlugins struct{}

func (noPlugins) Contains(string, consts.PluginType) bool           { return false }
func (noPlugins) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }
func (noPlugins) Keys(consts.PluginType) []string                   { return nil }

func (noPlugins) Get(string, consts.PluginType) (func() (any, error), bool) { return nil, false }

func (noPlugins) DeprecationStatus(string, consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, false
}
