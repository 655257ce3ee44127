package directory

import (
	"errors"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// broken is a server that can't be asked at the moment; another may.
type broken struct{ error }

// Unwrap gives the cause.
func (b broken) Unwrap() error { return b.error }

// weigh says whether another server is to be asked after an error, and what to do about it.
func weigh(err error) (next bool, cure string) {
	var known *ldap.Error
	switch {
	case errors.As(err, new(broken)):
		return true, ""
	case !errors.As(err, &known):
		return false, ""
	}
	switch known.ResultCode {
	case ldap.ErrorNetwork, ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultOther, ldap.LDAPResultTimeLimitExceeded,
		ldap.LDAPResultOperationsError, ldap.ErrorUnexpectedMessage, ldap.ErrorUnexpectedResponse:
		return true, ""
	case ldap.LDAPResultReferral:
		return false, "the server refers to another one, which is not followed, since that would give it passwords: name it in servers"
	case ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired:
		return false, "the server wants encryption: write ldaps:// in servers, or start_tls: true"
	case ldap.LDAPResultNoSuchObject:
		return false, "user.base_dn or groups.base_dn is not there, or bind_dn may not see it"
	case ldap.LDAPResultInsufficientAccessRights:
		return false, "let bind_dn read people and groups"
	case ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded:
		return false, "the server's limit is too low for bind_dn, or groups.filter finds too much"
	}
	return false, ""
}

// explain makes one of the errors of package login of what no other server would answer otherwise.
func (d *Directory) explain(err error, cure string) error {
	if errors.Is(err, login.ErrUnauthenticated) || errors.Is(err, login.ErrAgain) || errors.As(err, new(*login.Refused)) || errors.As(err, new(*login.Unavailable)) {
		return err
	}
	return &login.Unavailable{Provider: d.cfg.Name, Err: err, Cure: cure}
}

// whyNot is what a server's answer to binding as a person means.
func (d *Directory) whyNot(err error) error {
	var known *ldap.Error
	if !errors.As(err, &known) {
		return broken{err}
	}
	switch known.ResultCode {
	case ldap.LDAPResultInvalidCredentials:
		return d.ofActiveDirectory(known)
	case ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultNoSuchObject, ldap.LDAPResultConstraintViolation,
		ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultInvalidDNSyntax:
		return login.ErrUnauthenticated
	}
	return err
}

// ofActiveDirectory reads the reason that Active Directory gives within "invalid credentials". It gives these only when
// the password is right, so they tell nothing to who doesn't know it; others, a locked account among them, stay untold.
func (d *Directory) ofActiveDirectory(err *ldap.Error) error {
	if d.cfg.Profile != ActiveDirectory || err.Err == nil {
		return login.ErrUnauthenticated
	}
	text := err.Err.Error()
	for _, r := range []struct{ code, why, cure string }{
		{"data 532,", "your password has expired", "change it in Active Directory, then log in here"},
		{"data 773,", "your password must be changed before it counts", "change it in Active Directory, then log in here"},
		{"data 533,", "your account is disabled", "ask who runs the directory"},
		{"data 701,", "your account has expired", "ask who runs the directory"},
		{"data 530,", "the directory does not let you log in at this time of day", "ask who runs the directory"},
	} {
		if strings.Contains(text, r.code) {
			return &login.Refused{Provider: d.cfg.Name, Why: r.why, Cure: r.cure}
		}
	}
	return login.ErrUnauthenticated
}
