import { type Account, account } from "../answers/desk";
import { answer, api } from "./client";
import { allPages } from "./pages";

/** Every account that the user may view, over all pages. */
export async function fetchAccounts(): Promise<Account[]> {
  const found = await allPages(
    (cursor) => answer(api.GET("/api/v1/accounts/", { params: { query: cursor } })),
    account,
  );
  return found.filter((each) => each.can_view);
}
