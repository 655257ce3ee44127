import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { policiesQuery } from "~/api/budgets";
import type { PolicyRules, PolicyView } from "~/api/types";

export interface BurnLimit {
  window: string;
  limit: number;
  effect: string;
  /** Set of a long window, which alone decides; the short one beside it confirms. */
  long: boolean;
}

/** What the budget policy says of one SLO. Without it nothing is known, and nothing is guessed. */
export interface Limits {
  burns: readonly BurnLimit[];
  /** Shares of the budget used: above caution and hold, at freeze. */
  bands?: { caution: number; hold: number; freeze: number } | undefined;
}

export const noLimits: Limits = { burns: [] };

const made = new WeakMap<PolicyRules, Limits>();

/** The same rules give the same object, so that charts are not drawn anew. */
export function limitsOfRules(rules: PolicyRules): Limits {
  const known = made.get(rules);
  if (known) return known;
  const limits = readRules(rules);
  made.set(rules, limits);
  return limits;
}

function readRules(rules: PolicyRules): Limits {
  const burns = [rules.burn_fast, rules.burn_slow].flatMap((rule) => [
    { window: rule.long, limit: rule.factor, effect: "blocks deployments", long: true },
    {
      window: rule.short,
      limit: rule.factor,
      effect: `confirms ${rule.long.replace(/(\d)([a-z])/g, "$1 $2")}`,
      long: false,
    },
  ]);
  return {
    burns,
    bands: { caution: rules.caution_above, hold: rules.hold_above, freeze: rules.freeze_at },
  };
}

/** The limits of the policy that stands for an SLO; those of the default where it has none of its own. */
export function limitsFrom(view: PolicyView | undefined, slo: string | undefined): Limits {
  if (!view) return noLimits;
  const name = view.promises.find((one) => one.slo === slo)?.policy;
  const rules = view.policies.find((one) => one.name === name)?.rules ?? view.default;
  return limitsOfRules(rules);
}

/** The limits by SLO, from the policies in force. */
export function useLimits(): (slo?: string) => Limits {
  const { data } = useQuery(policiesQuery);
  return useCallback((slo) => limitsFrom(data, slo), [data]);
}
