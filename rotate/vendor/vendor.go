// Package vendor holds what the requests of the catalogue cannot say about a
// vendor's API: signatures, tokens that are minted first, answers that have to
// be computed with. A file is one vendor; the names stand in Funcs.
package vendor

import "github.com/till-sh/till/rotate"

// Funcs are the functions by the names that TOML files call them by, sorted. A
// new one is one file and one line here; docs/architecture.md says how.
func Funcs() []rotate.Func {
	return []rotate.Func{
		{Name: "alibaba-ram", Adapter: alibabaRAM{}},
		{Name: "alibaba-ram-create", Adapter: alibabaRAMCreate{}},
		{Name: "alibaba-ram-delete", Adapter: alibabaRAMDelete{}},
		{Name: "alibaba-sts", Adapter: alibabaSTS{}},
		{Name: "aws-iam", Adapter: awsIAM{}},
		{Name: "aws-iam-create", Adapter: awsIAMCreate{}},
		{Name: "aws-iam-delete", Adapter: awsIAMDelete{}},
		{Name: "aws-sts", Adapter: awsSTS{}},
		{Name: "azure-storage", Adapter: azureStorage{}},
		{Name: "azure-storage-other", Adapter: azureStorageOther{}},
		{Name: "azure-storage-renew", Adapter: azureStorageRenew{}},
		{Name: "gcp-iam", Adapter: gcpIAM{}},
		{Name: "gcp-iam-delete", Adapter: gcpIAMDelete{}},
		{Name: "gcp-service-account", Adapter: gcpServiceAccount{}},
	}
}
