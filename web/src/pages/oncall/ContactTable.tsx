import { useQuery } from "@tanstack/react-query";
import { contactsQuery, notServed } from "~/api/escalations";
import type { ContactState } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";

const columns: Column<ContactState>[] = [
  { key: "person", head: "Person", cell: (one) => one.person },
  { key: "contact", head: "Contact", cell: (one) => one.contact },
  {
    key: "channel",
    head: "Channel",
    cell: (one) =>
      one.usable ? (
        one.channel
      ) : (
        <>
          {one.channel}, <StateMark tone="danger" word="not set up" />
        </>
      ),
  },
  {
    key: "verified",
    head: "Verified",
    cell: (one) =>
      one.verified ? (
        <>
          <StateMark tone="ok" word="verified" /> <When at={one.verified} />
          {one.by && ` by ${one.by}`}
        </>
      ) : (
        <StateMark tone="caution" word="not verified" />
      ),
  },
];

/** How people are reached, and what of it is proved. */
export function ContactTable() {
  const query = useQuery(contactsQuery);
  if (notServed(query.error)) return null;
  return (
    <section className="panel stack tight">
      <h2>Contacts</h2>
      <Answer query={query} what="the contacts" height={120}>
        {({ contacts }) =>
          contacts.length > 0 ? (
            <>
              <DataTable
                label="Contacts"
                rows={contacts}
                columns={columns}
                rowKey={(one) => `${one.person} ${one.contact}`}
              />
              <p className="small dim">
                Addresses are not shown. <code>signalbox oncall verify PERSON CONTACT</code> sends a code, and
                verifies with it.
              </p>
            </>
          ) : (
            <EmptyNote title="Nobody has a contact.">
              <code>contacts</code> of people in <code>oncall_files</code> say by which channels they are
              reached.
            </EmptyNote>
          )
        }
      </Answer>
    </section>
  );
}
