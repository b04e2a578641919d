// Package azurekeyvault stands in for a seal by the key service of Azure; the Vault of the tests is unsealed by its keys.
package azurekeyvault

import wrapping "github.com/hashicorp/go-kms-wrapping/v2"

const (
	EnvAzureKeyVaultWrapperKeyName   = "AZUREKEYVAULT_WRAPPER_KEY_NAME"
	EnvAzureKeyVaultWrapperVaultName = "AZUREKEYVAULT_WRAPPER_VAULT_NAME"
	EnvVaultAzureKeyVaultKeyName     = "VAULT_AZUREKEYVAULT_KEY_NAME"
	EnvVaultAzureKeyVaultVaultName   = "VAULT_AZUREKEYVAULT_VAULT_NAME"
)

// NewWrapper gives none: using it is an error of the program.
func NewWrapper() wrapping.Wrapper { return nil }

func WithDisallowEnvVars(bool) wrapping.Option { return none }

// none is an option that means nothing to whoever gets it.
func none() any { return nil }
