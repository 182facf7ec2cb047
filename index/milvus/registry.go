package milvus

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"upnext"
	"upnext/index"
)

// longestSpec is the longest text of a spec's fields.
const longestSpec = 65535

// registrySchema is the collection that says which tenant has which. Milvus
// has no table without a vector: this one's means nothing.
func registrySchema(name string) *entity.Schema {
	return entity.NewSchema().WithName(name).
		WithField(textField(columnPrimary, longestPrimary).WithIsPrimaryKey(true)).
		WithField(textField(columnTenant, upnext.MaxID)).
		WithField(textField("name", index.MaxName)).
		WithField(entity.NewField().WithName("dim").WithDataType(entity.FieldTypeInt64)).
		WithField(textField("fields", longestSpec)).
		WithField(entity.NewField().WithName(columnVector).WithDataType(entity.FieldTypeFloatVector).WithDim(2))
}

// register puts a tenant's collection into the registry.
func (c *Collections) register(ctx context.Context, k key, spec index.Spec) error {
	fields, err := json.Marshal(spec.Fields)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	if len(fields) > longestSpec {
		return fmt.Errorf("spec of %d fields takes %d bytes, %d allowed: %w", len(spec.Fields), len(fields), longestSpec, upnext.ErrInvalid)
	}
	if err := c.ensure(ctx, registrySchema(c.registryName())); err != nil {
		return err
	}
	return c.write(ctx, "register", c.registryName(), func(ctx context.Context) error {
		_, err := c.client.Upsert(ctx, c.registryName(), "",
			entity.NewColumnVarChar(columnPrimary, []string{primary(k.tenant, k.name)}),
			entity.NewColumnVarChar(columnTenant, []string{string(k.tenant)}),
			entity.NewColumnVarChar("name", []string{k.name}),
			entity.NewColumnInt64("dim", []int64{int64(spec.Dim)}),
			entity.NewColumnVarChar("fields", []string{string(fields)}),
			entity.NewColumnFloatVector(columnVector, 2, [][]float32{{1, 0}}))
		return err
	})
}

// registered looks a tenant's collection up.
func (c *Collections) registered(ctx context.Context, k key) (spec index.Spec, present bool, err error) {
	list, err := c.registry(ctx, fmt.Sprintf("%s == %s", columnPrimary, quoted(primary(k.tenant, k.name))))
	if err != nil || len(list) == 0 {
		return index.Spec{}, false, err
	}
	return list[0].Spec, true, nil
}

// listed looks all of a tenant's collections up.
func (c *Collections) listed(ctx context.Context, t upnext.Tenant) ([]index.Info, error) {
	return c.registry(ctx, fmt.Sprintf("%s == %s", columnTenant, quoted(string(t))))
}

// registry reads the rows that an expression passes, as they are now.
func (c *Collections) registry(ctx context.Context, expression string) ([]index.Info, error) {
	rows, err := c.query(ctx, c.registryName(), expression, []string{"name", "dim", "fields"}, entity.ClStrong)
	if isNotFound(err) {
		return nil, nil // nobody has made any
	}
	if err != nil {
		return nil, fmt.Errorf("read the registry: %w", err)
	}
	list := make([]index.Info, rows.Len())
	for i := range list {
		name, nameErr := rows.GetColumn("name").GetAsString(i)
		dim, dimErr := rows.GetColumn("dim").GetAsInt64(i)
		fields, fieldsErr := rows.GetColumn("fields").GetAsString(i)
		if nameErr != nil || dimErr != nil || fieldsErr != nil {
			return nil, fmt.Errorf("read the registry: a row without its columns: %w", upnext.ErrUnavailable)
		}
		list[i] = index.Info{Name: name, Spec: index.Spec{Dim: int(dim)}}
		if err := json.Unmarshal([]byte(fields), &list[i].Spec.Fields); err != nil {
			return nil, fmt.Errorf("read the registry: fields of %s: %w: %w", name, upnext.ErrUnavailable, err)
		}
	}
	return list, nil
}

// remove takes a tenant's rows out, and the collection where nobody else has it.
func (c *Collections) remove(ctx context.Context, k key, dim int) error {
	collection := c.collectionName(k.name, dim)
	err := c.write(ctx, "delete the rows", collection, func(ctx context.Context) error {
		return c.client.Delete(ctx, collection, "", c.server.ofTenant(k.tenant))
	})
	if err != nil && !isNotFound(err) { // a drop cut short comes here again
		return err
	}
	err = c.write(ctx, "unregister", c.registryName(), func(ctx context.Context) error {
		return c.client.Delete(ctx, c.registryName(), "", fmt.Sprintf("%s in [%s]", columnPrimary, quoted(primary(k.tenant, k.name))))
	})
	if err != nil {
		return err
	}
	others, err := c.registry(ctx, fmt.Sprintf("name == %s and dim == %d", quoted(k.name), dim))
	if err != nil || len(others) > 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, changeFor)
	defer cancel()
	err = c.client.DropCollection(ctx, collection)
	if missing(err) {
		return nil
	}
	return c.failed(ctx, "drop the collection", err)
}
