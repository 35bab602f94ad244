import { en, type Catalogue } from './en';

export const pl: Catalogue = { ...en };
