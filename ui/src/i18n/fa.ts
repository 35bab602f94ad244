import { en, type Catalogue } from './en';

export const fa: Catalogue = { ...en };
