// Package ocikms stands in for a seal by the key service of Oracle Cloud; the Vault of the tests is unsealed by its keys.
package ocikms

import wrapping "github.com/hashicorp/go-kms-wrapping/v2"

const (
	EnvOciKmsWrapperCryptoEndpoint       = "OCIKMS_WRAPPER_CRYPTO_ENDPOINT"
	EnvOciKmsWrapperKeyId                = "OCIKMS_WRAPPER_KEY_ID"
	EnvOciKmsWrapperManagementEndpoint   = "OCIKMS_WRAPPER_MANAGEMENT_ENDPOINT"
	EnvVaultOciKmsSealCryptoEndpoint     = "VAULT_OCIKMS_CRYPTO_ENDPOINT"
	EnvVaultOciKmsSealKeyId              = "VAULT_OCIKMS_SEAL_KEY_ID"
	EnvVaultOciKmsSealManagementEndpoint = "VAULT_OCIKMS_MANAGEMENT_ENDPOINT"
	KmsConfigCryptoEndpoint              = "crypto_endpoint"
	KmsConfigKeyId                       = "key_id"
	KmsConfigManagementEndpoint          = "management_endpoint"
)

// NewWrapper gives none: using it is an error of the program.
func NewWrapper() wrapping.Wrapper { return nil }
