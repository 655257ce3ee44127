package site

import (
	"fmt"
	"strings"

	"github.com/signalbox-project/signalbox/internal/statuspage"
)

// vocabulary are the words of a language.
type vocabulary struct {
	texts
	Months  [12]string
	point   string
	states  map[statuspage.State]string
	overall map[statuspage.State]string
	status  map[statuspage.Status]string
	uptime  string // of a ratio, days with data, days
	noData  string
}

// texts stand by themselves.
type texts struct {
	headings
	Ago, Stale, Updated, Support, How, Nothing, Good, Counted, Day, Days, MaintenanceWord string
}

// headings are titles and links.
type headings struct {
	History, Now, Planned, Components, Past string
}

// State is the word for a state.
func (v vocabulary) State(s statuspage.State) string { return v.states[s] }

// Overall is the sentence about a page.
func (v vocabulary) Overall(s statuspage.State) string { return v.overall[s] }

// Status is the word for a status.
func (v vocabulary) Status(s statuspage.Status) string { return v.status[s] }

// ratio is a share, or that there is none.
func (v vocabulary) ratio(r *float64) string {
	if r == nil {
		return v.noData
	}
	return percent(r, v.point)
}

// uptimeOf says how much of the days was good, and of how many something is known.
func (v vocabulary) uptimeOf(u *statuspage.Uptime) string {
	if u.Ratio == nil {
		return v.noData
	}
	return strings.NewReplacer("{ratio}", percent(u.Ratio, v.point), "{days}", fmt.Sprint(u.Days), "{of}", fmt.Sprint(u.Of)).Replace(v.uptime)
}

func vocabularyOf(language string) vocabulary {
	switch language {
	case "de":
		return german()
	case "es":
		return spanish()
	case "fr":
		return french()
	}
	return english()
}

func states(operational, maintenance, degraded, partial, major string) map[statuspage.State]string {
	return map[statuspage.State]string{
		statuspage.Operational: operational, statuspage.Maintenance: maintenance, statuspage.Degraded: degraded, statuspage.PartialOutage: partial, statuspage.MajorOutage: major,
	}
}

func statuses(words ...string) map[statuspage.Status]string {
	out := map[statuspage.Status]string{}
	for i, s := range append(statuspage.OfIncident.Statuses(), statuspage.OfMaintenance.Statuses()...) {
		out[s] = words[i]
	}
	return out
}

func english() vocabulary {
	return vocabulary{
		texts: texts{
			headings: headings{History: "History", Now: "Current status", Planned: "Scheduled maintenance", Components: "Components", Past: "Past incidents"},
			Ago:      "({age} ago)", Stale: "This copy is old: what it says may not be so any more.", Updated: "Last updated", Support: "Support",
			How:     "Uptime is the share of good requests or checks of the last 90 days (UTC), by the measure that did worst. A day without data is grey, and counts neither as up nor as down.",
			Nothing: "Nothing was announced.", Good: "Good", Counted: "Counted", Day: "Day", Days: "Days that were not wholly good", MaintenanceWord: "maintenance",
		},
		Months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}, point: ".",
		states:  states("Operational", "Under maintenance", "Degraded performance", "Partial outage", "Major outage"),
		overall: states("All systems operational", "Maintenance in progress", "Degraded performance", "Partial outage", "Major outage"),
		status:  statuses("Investigating", "Identified", "Monitoring", "Resolved", "Scheduled", "In progress", "Verifying", "Completed", "Cancelled"),
		uptime:  "{ratio} uptime over {days} of {of} days with data", noData: "no data",
	}
}

func german() vocabulary {
	return vocabulary{
		texts: texts{
			headings: headings{History: "Verlauf", Now: "Aktueller Stand", Planned: "Geplante Wartung", Components: "Komponenten", Past: "Vergangene Störungen"},
			Ago:      "(vor {age})", Stale: "Diese Kopie ist alt: Was sie sagt, gilt vielleicht nicht mehr.", Updated: "Zuletzt aktualisiert", Support: "Hilfe",
			How:     "Die Verfügbarkeit ist der Anteil guter Anfragen oder Prüfungen der letzten 90 Tage (UTC), nach dem schlechtesten Maß. Ein Tag ohne Daten ist grau und zählt weder als gut noch als schlecht.",
			Nothing: "Es wurde nichts gemeldet.", Good: "Gut", Counted: "Gezählt", Day: "Tag", Days: "Tage, die nicht ganz gut waren", MaintenanceWord: "Wartung",
		},
		Months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}, point: ",",
		states:  states("In Betrieb", "In Wartung", "Beeinträchtigt", "Teilausfall", "Ausfall"),
		overall: states("Alle Systeme in Betrieb", "Wartung läuft", "Beeinträchtigter Betrieb", "Teilausfall", "Ausfall"),
		status:  statuses("Wird untersucht", "Ursache gefunden", "Wird beobachtet", "Behoben", "Geplant", "Läuft", "Wird geprüft", "Abgeschlossen", "Abgesagt"),
		uptime:  "{ratio} verfügbar an {days} von {of} Tagen mit Daten", noData: "keine Daten",
	}
}

func spanish() vocabulary {
	return vocabulary{
		texts: texts{
			headings: headings{History: "Historial", Now: "Estado actual", Planned: "Mantenimiento programado", Components: "Componentes", Past: "Incidencias pasadas"},
			Ago:      "(hace {age})", Stale: "Esta copia es antigua: puede que lo que dice ya no sea cierto.", Updated: "Última actualización", Support: "Ayuda",
			How:     "La disponibilidad es la proporción de peticiones o comprobaciones correctas de los últimos 90 días (UTC), según la peor medida. Un día sin datos es gris y no cuenta ni como bueno ni como malo.",
			Nothing: "No se ha anunciado nada.", Good: "Correcto", Counted: "Contado", Day: "Día", Days: "Días que no fueron del todo correctos", MaintenanceWord: "mantenimiento",
		},
		Months: [12]string{"Enero", "Febrero", "Marzo", "Abril", "Mayo", "Junio", "Julio", "Agosto", "Septiembre", "Octubre", "Noviembre", "Diciembre"}, point: ",",
		states:  states("Operativo", "En mantenimiento", "Rendimiento degradado", "Interrupción parcial", "Interrupción grave"),
		overall: states("Todos los sistemas operativos", "Mantenimiento en curso", "Rendimiento degradado", "Interrupción parcial", "Interrupción grave"),
		status:  statuses("En investigación", "Causa identificada", "En observación", "Resuelto", "Programado", "En curso", "En verificación", "Completado", "Cancelado"),
		uptime:  "{ratio} de disponibilidad en {days} de {of} días con datos", noData: "sin datos",
	}
}

func french() vocabulary {
	return vocabulary{
		texts: texts{
			headings: headings{History: "Historique", Now: "État actuel", Planned: "Maintenance prévue", Components: "Composants", Past: "Incidents passés"},
			Ago:      "(il y a {age})", Stale: "Cette copie est ancienne : ce qu’elle dit n’est peut-être plus vrai.", Updated: "Dernière mise à jour", Support: "Aide",
			How:     "La disponibilité est la part de requêtes ou de contrôles réussis des 90 derniers jours (UTC), selon la moins bonne mesure. Un jour sans données est gris et ne compte ni comme bon ni comme mauvais.",
			Nothing: "Rien n’a été annoncé.", Good: "Réussi", Counted: "Compté", Day: "Jour", Days: "Jours qui n’étaient pas entièrement bons", MaintenanceWord: "maintenance",
		},
		Months: [12]string{"Janvier", "Février", "Mars", "Avril", "Mai", "Juin", "Juillet", "Août", "Septembre", "Octobre", "Novembre", "Décembre"}, point: ",",
		states:  states("Opérationnel", "En maintenance", "Performances dégradées", "Panne partielle", "Panne majeure"),
		overall: states("Tous les systèmes sont opérationnels", "Maintenance en cours", "Performances dégradées", "Panne partielle", "Panne majeure"),
		status:  statuses("En cours d’analyse", "Cause identifiée", "Sous surveillance", "Résolu", "Prévu", "En cours", "En vérification", "Terminé", "Annulé"),
		uptime:  "{ratio} de disponibilité sur {days} des {of} jours avec des données", noData: "pas de données",
	}
}
