// Package server holds the adapters for keys of databases and servers that are
// spoken to directly, mostly in protocols of their own: passwords in connection
// strings, tokens of a registry, SSH keys. A file is one kind of server; the
// names stand in Funcs.
//
// What makes them different from vendors:
//
//   - The host stands in the key, in a scanned file. So nothing is connected to
//     until a person has said or confirmed it (serverOf), or --set server=… has.
//   - A password is not revoked but changed. The new one is kept before the
//     statement that sets it, and doing it again sets the same one.
//   - Values go to the server hashed where it takes a hash, so they are in none
//     of its logs, and over TLS, unless it is on this machine or the owner has
//     said otherwise (--set tls=…).
//   - A password is inactive only when the server has refused it, and that server
//     and user are those that stand beside the key or let the other password of
//     the case in (refusal); it is active only when the server has asked for it:
//     one that lets in everybody proves nothing.
package server

import "github.com/till-sh/till/rotate"

// Funcs are the functions by the names that TOML files call them by, sorted. A
// new one is one file and one line here; docs/architecture.md says how.
func Funcs() []rotate.Func {
	return []rotate.Func{
		{Name: "jdbc-login", Adapter: jdbcLogin{}},
		{Name: "jdbc-off", Adapter: jdbcOff{}},
		{Name: "jdbc-password", Adapter: jdbcPassword{}},
		{Name: "mysql-login", Adapter: mysqlLogin{}},
		{Name: "mysql-off", Adapter: mysqlOff{}},
		{Name: "mysql-password", Adapter: mysqlPassword{}},
		{Name: "postgres-login", Adapter: postgresLogin{}},
		{Name: "postgres-off", Adapter: postgresOff{}},
		{Name: "postgres-password", Adapter: postgresPassword{}},
		{Name: "rabbitmq-login", Adapter: rabbitLogin{}},
		{Name: "rabbitmq-off", Adapter: rabbitOff{}},
		{Name: "rabbitmq-password", Adapter: rabbitPassword{}},
		{Name: "redis-login", Adapter: redisLogin{}},
		{Name: "redis-off", Adapter: redisOff{}},
		{Name: "redis-password", Adapter: redisPassword{}},
		{Name: "ssh-key", Adapter: sshPair{}},
		{Name: "ssh-key-off", Adapter: sshKeysOff{}},
		{Name: "ssh-login", Adapter: sshLogin{}},
	}
}
