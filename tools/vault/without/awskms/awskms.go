// Package awskms stands in for a seal by the key service of AWS; the Vault of the tests is unsealed by its keys.
package awskms

import (
	"github.com/hashicorp/go-hclog"
	wrapping "github.com/hashicorp/go-kms-wrapping/v2"
)

const (
	EnvAwsKmsWrapperKeyId   = "AWSKMS_WRAPPER_KEY_ID"
	EnvVaultAwsKmsSealKeyId = "VAULT_AWSKMS_SEAL_KEY_ID"
)

// NewWrapper gives none: using it is an error of the program.
func NewWrapper() wrapping.Wrapper { return nil }

func WithDisallowEnvVars(bool) wrapping.Option { return none }

func WithLogger(hclog.Logger) wrapping.Option { return none }

// none is an option that means nothing to whoever gets it.
func none() any { return nil }
