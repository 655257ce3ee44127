package directory

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// slapd is a real OpenLDAP server with people, groups within groups, and TLS.
type slapd struct {
	plain, secure string // URLs
	ca            string // file
	dir           string
}

const people = "ou=people,dc=example,dc=org"

// startSlapd starts the Debian package's server, or skips the test and says so.
func startSlapd(t *testing.T) *slapd {
	t.Helper()
	binary := lookIn(t, "slapd")
	dir := t.TempDir()
	s := &slapd{dir: dir, ca: filepath.Join(dir, "ca.pem"), plain: "ldap://" + freeAddress(t), secure: "ldaps://" + strings.Replace(freeAddress(t), "127.0.0.1", "localhost", 1)}
	certificates(t, dir)
	conf := fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile %[1]s/pid
TLSCACertificateFile %[1]s/ca.pem
TLSCertificateFile %[1]s/server.pem
TLSCertificateKeyFile %[1]s/server.key
database mdb
suffix dc=example,dc=org
rootdn cn=admin,dc=example,dc=org
rootpw admin
directory %[1]s/db
maxsize 104857600
limits * size.soft=500 size.hard=500 size.pr=500 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=elsewhere,dc=example,dc=org" by dn.exact="cn=service,dc=example,dc=org" read by * none
access to * by users read by anonymous auth
overlay memberof
memberof-group-oc groupOfNames
memberof-member-ad member
memberof-memberof-ad memberOf
`, dir)
	write(t, filepath.Join(dir, "slapd.conf"), conf)
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "password"), "service-secret\n")
	write(t, filepath.Join(dir, "data.ldif"), population())
	run(t, filepath.Join(filepath.Dir(binary), "slapadd"), "-q", "-f", filepath.Join(dir, "slapd.conf"), "-l", filepath.Join(dir, "data.ldif"))
	cmd := exec.Command(binary, "-d", "0", "-h", s.plain+" "+s.secure, "-f", filepath.Join(dir, "slapd.conf"))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	waitFor(t, strings.TrimPrefix(s.plain, "ldap://"))
	return s
}

func lookIn(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin", "/usr/libexec") {
		if file := filepath.Join(dir, name); exec.Command("test", "-x", file).Run() == nil {
			return file
		}
	}
	t.Skipf("NOT TESTED: %s is not installed (scripts/need.sh %s installs it)", name, name)
	return ""
}

// freeAddress is one where nothing listens. It lies below the ports that the kernel gives to whoever asks for any: another
// test's connection would have it before the server that is to listen there.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 12000+mathrand.IntN(18000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// waitFor returns when something listens.
func waitFor(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing listens at %s: %v", address, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// modify changes an entry as the server's administrator.
func (s *slapd) modify(t *testing.T, ldif string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "change.ldif")
	write(t, file, ldif)
	run(t, lookIn(t, "ldapmodify"), "-x", "-H", s.plain, "-D", "cn=admin,dc=example,dc=org", "-w", "admin", "-f", file)
}

// population are the people and groups: sre is in ops, ops is in everyone, everyone is in sre again; bob is in 1,200 groups.
func population() string {
	var b strings.Builder
	add := func(dn string, lines ...string) {
		fmt.Fprintf(&b, "dn: %s\n%s\n\n", dn, strings.Join(lines, "\n"))
	}
	add("dc=example,dc=org", "objectClass: dcObject", "objectClass: organization", "o: Example", "dc: example")
	for _, ou := range []string{"people", "groups", "many", "elsewhere"} {
		add("ou="+ou+",dc=example,dc=org", "objectClass: organizationalUnit", "ou: "+ou)
	}
	add("cn=service,dc=example,dc=org", "objectClass: organizationalRole", "objectClass: simpleSecurityObject", "cn: service", "userPassword: service-secret")
	for _, p := range []struct{ rdn, uid, more string }{
		{"uid=ann", "ann", ""},
		{"uid=bob", "bob", ""},
		{"uid=Cee", "Cee", ""},
		{`uid=we\2Aird \28name\29`, "we*ird (name)", ""},
		{"uid=gone", "gone", "objectClass: shadowAccount\nshadowExpire: 1\n"},
		{"uid=twice", "twice", "uid: second\n"},
		{"cn=same one", "same", ""},
		{"cn=same two", "same", ""},
	} {
		name := strings.SplitN(p.rdn, "=", 2)[1]
		fmt.Fprintf(&b, "dn: %s,%s\nobjectClass: inetOrgPerson\n%suid: %s\ncn: %s\nsn: x\nuserPassword: pw-%s\n\n", p.rdn, people, p.more, p.uid, name, p.uid)
	}
	group := func(dn string, members ...string) {
		fmt.Fprintf(&b, "dn: %s\nobjectClass: groupOfNames\n", dn)
		for _, m := range members {
			fmt.Fprintf(&b, "member: %s\n", m)
		}
		b.WriteString("\n")
	}
	const in = ",ou=groups,dc=example,dc=org"
	group("cn=sre"+in, "uid=ann,"+people, "cn=everyone"+in, `uid=we\2Aird \28name\29,`+people)
	group("cn=ops"+in, "cn=sre"+in)
	group("cn=everyone"+in, "cn=ops"+in, "uid=Cee,"+people)
	group("cn=empty"+in, "cn=service,dc=example,dc=org")
	group("cn=admins,ou=elsewhere,dc=example,dc=org", "uid=ann,"+people)
	add("cn=posix"+in, "objectClass: posixGroup", "cn: posix", "gidNumber: 5000", "memberUid: ann")
	add("cn=unique"+in, "objectClass: groupOfUniqueNames", "cn: unique", "uniqueMember: uid=ann,"+people)
	for i := range 1200 {
		group(fmt.Sprintf("cn=g%04d,ou=many,dc=example,dc=org", i), "uid=bob,"+people)
	}
	return b.String()
}

// certificates makes a certification authority and a server certificate for localhost.
func certificates(t *testing.T, dir string) {
	t.Helper()
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	ca, server := key(), key()
	issuer := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: issuer.NotBefore, NotAfter: issuer.NotAfter,
		DNSNames: []string{"localhost"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, c := range []struct {
		file   string
		cert   *x509.Certificate
		public *ecdsa.PrivateKey
	}{{"ca.pem", issuer, ca}, {"server.pem", leaf, server}} {
		der, err := x509.CreateCertificate(rand.Reader, c.cert, issuer, &c.public.PublicKey, ca)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, c.file), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	}
	der, err := x509.MarshalPKCS8PrivateKey(server)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "server.key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}
