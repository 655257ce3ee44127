// Package loopback tells whether a host is this machine itself, where nothing that is sent leaves it.
//
// It resolves no names. In: a host of a URL, without its port. Out: yes or no.
//
// Invariant: only what can't mean another machine counts. Start reading at Host.
package loopback

import "net"

// Host says whether host is localhost or an address of the loopback interface.
func Host(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
